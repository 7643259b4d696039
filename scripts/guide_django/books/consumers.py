"""The chat of §9."""

import json

from books.models import ChatMessage, ChatRoomMembership
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import User
from django.utils.html import escape
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        token = self.scope["query_string"].decode().split("token=")[-1]
        self.user = await self.authenticate(token)
        if not self.user:
            await self.close(code=4001)
            return
        self.room_id = self.scope["url_route"]["kwargs"]["room_id"]
        if not await self.is_member():
            await self.close(code=4003)
            return
        self.group = f"chat_{self.room_id}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    @database_sync_to_async
    def authenticate(self, token):
        try:
            user = User.objects.get(id=AccessToken(token)["user_id"])
        except (TokenError, User.DoesNotExist):
            return None
        return user if user.is_active else None

    @database_sync_to_async
    def is_member(self):
        return ChatRoomMembership.objects.filter(user=self.user, chat_room_id=self.room_id).exists()

    @database_sync_to_async
    def keep(self, message):
        return ChatMessage.objects.create(user=self.user, chat_room_id=self.room_id, message=message)

    async def receive(self, text_data):
        message = json.loads(text_data).get("message", "")
        if not message or len(message) > 1000:
            await self.send(json.dumps({"type": "error", "message": "Invalid message"}))
            return
        message = escape(message)
        kept = await self.keep(message)
        event = {"type": "chat_message", "message": message, "user": self.user.username}
        await self.channel_layer.group_send(self.group, event | {"timestamp": kept.created_at.isoformat()})

    async def chat_message(self, event):
        await self.send(json.dumps(event))
