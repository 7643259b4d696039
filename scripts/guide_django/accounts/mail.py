"""Mail: what is sent, and a backend that leaves it as .eml files where SMTP would take it away."""

import os
import uuid
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.html import format_html


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
    # The guide has no mail template: what it does not say is no hole of its own.
    text = f"Hi {user.username},\n\n{link}\n"
    html = format_html('<p>Hi {},</p><p><a href="{}">{}</a></p>', user.username, link, subject)
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email], html_message=html)
