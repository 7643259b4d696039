"""Profiles and avatars, as §7 and §13 have them."""

import magic
from accounts.models import Follow, UserProfile
from accounts.views import refused
from django.shortcuts import get_object_or_404
from PIL import Image
from rest_framework.decorators import api_view, parser_classes, permission_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.serializers import CharField, ModelSerializer

MAX_FILE_SIZE = 5 * 1024 * 1024
ALLOWED_TYPES = ["image/jpeg", "image/png", "image/webp"]


class ProfileSerializer(ModelSerializer):
    username = CharField(source="user.username", read_only=True)

    class Meta:
        model = UserProfile
        fields = ["username", "bio", "avatar", "profile_visibility"]
        read_only_fields = ["avatar"]


@api_view(["GET", "PATCH"])
@permission_classes([IsAuthenticated])
def own(request):
    profile = request.user.profile
    if request.method == "GET":
        return Response(ProfileSerializer(profile).data)
    serializer = ProfileSerializer(profile, data=request.data, partial=True)
    serializer.is_valid(raise_exception=True)
    serializer.save()
    return Response(serializer.data)


@api_view(["GET"])
@permission_classes([AllowAny])
def other(request, username):
    profile = get_object_or_404(UserProfile, user__username=username)
    if not can_view(request.user, profile):
        return refused("Forbidden", 403)
    return Response(ProfileSerializer(profile).data)


def can_view(viewer, profile):
    if profile.profile_visibility == "public" or viewer == profile.user:
        return True
    followers_only = profile.profile_visibility == "followers_only" and viewer.is_authenticated
    return followers_only and Follow.objects.filter(follower=viewer, following=profile.user).exists()


@api_view(["PATCH"])
@parser_classes([MultiPartParser])
@permission_classes([IsAuthenticated])
def avatar(request):
    file = request.FILES.get("avatar")
    if not file:
        return refused("No file provided")
    if file.size > MAX_FILE_SIZE:
        return refused("File too large. Maximum size is 5MB")
    kind = magic.from_buffer(file.read(1024), mime=True)
    file.seek(0)
    if kind not in ALLOWED_TYPES:
        return refused("Invalid file type. Allowed: JPEG, PNG, WebP")
    try:
        Image.open(file).verify()
        file.seek(0)
    except Exception:
        return refused("Invalid image file")
    profile = request.user.profile
    profile.avatar = file
    profile.save()
    return Response({"message": "Avatar uploaded successfully", "avatar_url": profile.avatar.url})
