"""Runs the guide's Django on 127.0.0.1: serve.py [--port PORT] [--data DIR].

Prints "Listening on http://127.0.0.1:PORT" when it answers. Mail goes to DIR/mail, one .eml file each.
"""

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="a folder for database, uploads and mail; temporary by default")
    given = parser.parse_args()
    if given.data:
        given.data.mkdir(parents=True, exist_ok=True)
        return serve(given.port, given.data.resolve())
    with tempfile.TemporaryDirectory() as folder:
        serve(given.port, Path(folder))


def serve(port, data):
    os.environ["GUIDE_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "guide.settings"
    sys.path.insert(0, str(HERE))

    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    fill()

    from daphne.server import Server
    from guide.asgi import application

    listener = socket.create_server(("127.0.0.1", port))
    port = listener.getsockname()[1]
    # The socket is Daphne's from here on.
    Server(
        application,
        endpoints=[f"fd:fileno={listener.detach()}"],
        signal_handlers=True,
        ready_callable=lambda: print(f"Listening on http://127.0.0.1:{port}", flush=True),
        server_name="daphne",
        verbosity=0,
    ).run()


def fill():
    """A book to review and a room to talk in, as any running installation has."""
    from books.models import Book, ChatRoom

    if not Book.objects.exists():
        Book.objects.create(title="The Sea", author="John Banville")
        ChatRoom.objects.create(name="Members only")


if __name__ == "__main__":
    main()
