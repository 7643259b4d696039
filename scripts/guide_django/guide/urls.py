"""Every route, as §3.3 names those that it names."""

from accounts import passwords, profiles, views
from books.views import BookViewSet, ReviewViewSet, RoomViewSet
from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve
from rest_framework.routers import DefaultRouter
from rest_framework_simplejwt.views import TokenRefreshView

router = DefaultRouter()
router.register("books", BookViewSet)
router.register("reviews", ReviewViewSet, basename="review")
router.register("rooms", RoomViewSet)

auth = [
    path("register/", views.RegisterView.as_view()),
    path("login/", views.LoginView.as_view()),
    path("logout/", views.LogoutView.as_view()),
    path("refresh/", TokenRefreshView.as_view()),
    path("verify-email/", views.verify_email),
    path("resend-verification/", views.resend_verification),
    path("password-reset/", passwords.request_reset),
    path("password-reset/confirm/", passwords.reset),
    path("change-password/", passwords.change),
]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/auth/", include(auth)),
    path("api/profile/", profiles.own),
    path("api/profile/avatar/", profiles.avatar),
    path("api/profiles/<str:username>/", profiles.other),
    path("api/", include(router.urls)),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
]
