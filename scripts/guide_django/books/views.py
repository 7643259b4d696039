"""Books and reviews, as §7 and §11 have them."""

from books.models import Book, ChatRoom, ChatRoomMembership, Review
from books.sanitization import sanitize_html, sanitize_plain_text
from django.db.models import Q
from rest_framework.mixins import CreateModelMixin
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.serializers import CharField, ModelSerializer
from rest_framework.viewsets import GenericViewSet, ModelViewSet, ReadOnlyModelViewSet


class IsOwnerOrReadOnly(BasePermission):
    def has_object_permission(self, request, view, obj):
        return request.method in SAFE_METHODS or obj.user == request.user


class BookSerializer(ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title", "author"]


class BookViewSet(ReadOnlyModelViewSet):
    permission_classes = []
    queryset = Book.objects.order_by("id")
    serializer_class = BookSerializer


class ReviewSerializer(ModelSerializer):
    user = CharField(source="user.username", read_only=True)

    class Meta:
        model = Review
        fields = ["id", "user", "book", "title", "review_text", "rating", "is_public", "created_at"]

    def validate_review_text(self, value):
        return sanitize_html(value)

    def validate_title(self, value):
        return sanitize_plain_text(value)


class ReviewViewSet(ModelViewSet):
    permission_classes = [IsOwnerOrReadOnly]
    serializer_class = ReviewSerializer

    def perform_create(self, serializer):
        serializer.save(user=self.request.user)

    def get_queryset(self):
        if self.request.user.is_authenticated:
            return Review.objects.filter(Q(user=self.request.user) | Q(is_public=True))
        return Review.objects.filter(is_public=True)


class RoomSerializer(ModelSerializer):
    class Meta:
        model = ChatRoom
        fields = ["id", "name"]


class RoomViewSet(CreateModelMixin, GenericViewSet):
    permission_classes = [IsAuthenticated]
    queryset = ChatRoom.objects.all()
    serializer_class = RoomSerializer

    def perform_create(self, serializer):
        ChatRoomMembership.objects.create(user=self.request.user, chat_room=serializer.save())
