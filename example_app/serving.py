"""Gunicorn's settings: ``gunicorn -c example_app/serving.py "example_app:create_app()"``.

One gevent process holds thousands of open chats. Nothing may be imported here that gevent has to patch first.
"""

from __future__ import annotations

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '5050')}"
worker_class = "gevent"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_connections = 4000
graceful_timeout = 3  # open chats and live pages reconnect by themselves
control_socket_disable = True
loglevel = os.environ.get("LOG_LEVEL", "warning")
