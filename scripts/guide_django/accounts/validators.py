"""The character classes of §4.1."""

import re

from django.core.exceptions import ValidationError

CLASSES = [
    (r"[A-Z]", "one uppercase letter"),
    (r"[a-z]", "one lowercase letter"),
    (r"\d", "one number"),
    (r'[!@#$%^&*(),.?":{}|<>]', "one special character"),
]


class PasswordComplexityValidator:
    def validate(self, password, user=None):
        if len(password) < 8:
            raise ValidationError("Password must be at least 8 characters long.", code="password_too_short")
        for pattern, what in CLASSES:
            if not re.search(pattern, password):
                raise ValidationError(f"Password must contain at least {what}.")

    def get_help_text(self):
        return "Your password must contain upper and lower case letters, numbers and special characters."
