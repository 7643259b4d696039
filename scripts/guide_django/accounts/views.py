"""Registration, login, logout and the verification of addresses, as §3.4, §5 and §12 have them."""

import logging
import secrets

from accounts import mail
from accounts.models import NotificationPreferences, UserProfile
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenObtainPairView

logger = logging.getLogger(__name__)
DAY = 86400


def refused(text, status=400, **more):
    return Response({"error": text, **more}, status=status)


def public(user):
    return {"id": user.id, "username": user.username, "email": user.email}


class AuthRateThrottle(AnonRateThrottle):
    rate = "5/minute"


class LoginSerializer(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token["username"] = user.username
        token["email"] = user.email
        token["is_staff"] = user.is_staff
        return token

    def validate(self, attrs):
        answer = super().validate(attrs)
        names = {"first_name": self.user.first_name, "last_name": self.user.last_name}
        answer["user"] = public(self.user) | names
        return answer


class LoginView(TokenObtainPairView):
    serializer_class = LoginSerializer


class RegisterView(APIView):
    permission_classes = [AllowAny]
    throttle_classes = [AuthRateThrottle]

    def post(self, request):
        given = {name: request.data.get(name) for name in ("username", "email", "password")}
        if not all(given.values()):
            return refused("Username, email, and password are required")
        if User.objects.filter(username=given["username"]).exists():
            return refused("Username already exists")
        if User.objects.filter(email=given["email"]).exists():
            return refused("Email already registered")
        try:
            validate_password(given["password"])
        except ValidationError as error:
            return refused("Password validation failed", details=list(error.messages))
        names = {name: request.data.get(name, "") for name in ("first_name", "last_name")}
        user = User.objects.create_user(**given, **names, is_active=False)
        UserProfile.objects.create(user=user)
        NotificationPreferences.objects.create(user=user)
        try:
            send_verification(user)
        except Exception as error:
            logger.error("Failed to send verification email: %s", error)
        message = "Registration successful. Please check your email to verify your account."
        return Response({"message": message, "user": public(user)}, status=201)


class LogoutView(APIView):
    permission_classes = [IsAuthenticated]

    def post(self, request):
        given = request.data.get("refresh_token")
        if not given:
            return refused("Refresh token required")
        try:
            RefreshToken(given).blacklist()
        except TokenError:
            return refused("Invalid or expired token")
        except Exception:
            return refused("Logout failed", 500)
        return Response({"message": "Logout successful"})


def send_verification(user):
    token = secrets.token_urlsafe(32)
    cache.set(f"email_verification:{token}", user.id, timeout=DAY)
    mail.send_verification(user, token)


@api_view(["POST"])
@permission_classes([AllowAny])
def verify_email(request):
    token = request.data.get("token")
    if not token:
        return refused("Verification token required")
    user = User.objects.filter(id=cache.get(f"email_verification:{token}")).first()
    if not user:
        return refused("Invalid or expired verification token")
    user.is_active = True
    user.save()
    cache.delete(f"email_verification:{token}")
    refresh = RefreshToken.for_user(user)
    pair = {"access": str(refresh.access_token), "refresh": str(refresh)}
    return Response({"message": "Email verified successfully", **pair, "user": public(user)})


@api_view(["POST"])
@permission_classes([IsAuthenticated])
def resend_verification(request):
    if request.user.is_active:
        return refused("Email already verified")
    send_verification(request.user)
    return Response({"message": "Verification email sent"})
