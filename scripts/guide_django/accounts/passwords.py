"""Reset and change of passwords, as §6 has them."""

import secrets

from accounts import mail
from accounts.views import refused
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from rest_framework.decorators import api_view, permission_classes, throttle_classes
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle

HOUR = 3600


@api_view(["POST"])
@permission_classes([AllowAny])
@throttle_classes([AnonRateThrottle])
def request_reset(request):
    email = request.data.get("email")
    if not email:
        return refused("Email required")
    user = User.objects.filter(email=email, is_active=True).first()
    if user:
        token = secrets.token_urlsafe(32)
        cache.set(f"password_reset:{token}", user.id, timeout=HOUR)
        mail.send_reset(user, token)
    return Response({"message": "If an account with that email exists, a password reset link has been sent."})


@api_view(["POST"])
@permission_classes([AllowAny])
def reset(request):
    token, password = request.data.get("token"), request.data.get("password")
    if not token or not password:
        return refused("Token and password required")
    user = User.objects.filter(id=cache.get(f"password_reset:{token}")).first()
    if not user:
        return refused("Invalid or expired reset token")
    try:
        validate_password(password)
    except ValidationError as error:
        return refused("Password validation failed", details=list(error.messages))
    user.set_password(password)
    user.save()
    cache.delete(f"password_reset:{token}")
    return Response({"message": "Password reset successful. Please login with your new password."})


@api_view(["PATCH"])
@permission_classes([IsAuthenticated])
def change(request):
    current, new = request.data.get("current_password"), request.data.get("new_password")
    if not current or not new:
        return refused("Current and new password required")
    if not request.user.check_password(current):
        return refused("Current password is incorrect")
    try:
        validate_password(new, user=request.user)
    except ValidationError as error:
        return refused("Password validation failed", details=list(error.messages))
    request.user.set_password(new)
    request.user.save()
    return Response({"message": "Password changed successfully"})
