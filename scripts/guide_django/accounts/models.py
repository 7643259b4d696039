"""What belongs to a user."""

from django.contrib.auth.models import User
from django.db import models

VISIBILITIES = [(name, name) for name in ("public", "followers_only", "private")]


class UserProfile(models.Model):
    user = models.OneToOneField(User, models.CASCADE, related_name="profile")
    bio = models.TextField(blank=True, max_length=500)
    avatar = models.ImageField(upload_to="avatars/", blank=True)
    profile_visibility = models.CharField(max_length=20, choices=VISIBILITIES, default="public")


class NotificationPreferences(models.Model):
    user = models.OneToOneField(User, models.CASCADE)
    new_follower = models.BooleanField(default=True)


class Follow(models.Model):
    follower = models.ForeignKey(User, models.CASCADE, related_name="+")
    following = models.ForeignKey(User, models.CASCADE, related_name="+")
