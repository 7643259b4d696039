"""Mail: what is sent, and a backend that leaves it as .eml files where SMTP would take it away."""

import os
import uuid
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail
from django.core.mail.backends.base import BaseEmailBackend


class EmlBackend(BaseEmailBackend):
    def send_messages(self, messages):
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages:
            partial = folder / f"{uuid.uuid4().hex}.partial"
            partial.write_bytes(message.message().as_bytes())
            os.rename(partial, partial.with_suffix(".eml"))
        return len(messages)


def send_verification(user, token):
    link = f"{settings.FRONTEND_URL}/verify-email?token={token}"
    send_link("Verify your email", user, link)


def send_reset(user, token):
    link = f"{settings.FRONTEND_URL}/reset-password?token={token}"
    send_link("Reset your password", user, link)


def send_link(subject, user, link):
    name = user.first_name or user.username
    text = f"Hi {name},\n\n{link}\n"
    html = f'<p>Hi {name},</p><p><a href="{link}">{subject}</a></p>'
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email], html_message=html)
