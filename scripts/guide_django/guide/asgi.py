"""HTTP and WebSockets, with what stands in for the proxy that ends TLS."""

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

django.setup()

from books.consumers import ChatConsumer  # noqa: E402


class BehindProxy:
    """Says what a usual nginx says: https, and the peer behind whatever the caller wrote before it."""

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        given = dict(scope["headers"])
        peer = scope["client"][0].encode()
        before = given.get(b"x-forwarded-for")
        given[b"x-forwarded-proto"] = b"https"
        given[b"x-forwarded-for"] = before + b", " + peer if before else peer
        return await self.application(scope | {"headers": list(given.items())}, receive, send)


application = BehindProxy(
    ProtocolTypeRouter({
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/chat/<int:room_id>/", ChatConsumer.as_asgi())]),
    })
)
