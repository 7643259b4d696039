"""Books, what is said of them, and rooms to talk in."""

from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=200)


class Review(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    book = models.ForeignKey(Book, models.CASCADE)
    title = models.CharField(max_length=200)
    review_text = models.TextField()
    rating = models.IntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    is_public = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)


class ChatRoom(models.Model):
    name = models.CharField(max_length=100)


class ChatRoomMembership(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    chat_room = models.ForeignKey(ChatRoom, models.CASCADE)


class ChatMessage(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    chat_room = models.ForeignKey(ChatRoom, models.CASCADE)
    message = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
