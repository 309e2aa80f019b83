"""Django's admin, in a fresh project: a session cookie, and a CSRF token in cookie and form."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from app import App
from machine import Running, install_python, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME, PASSWORD = "dana", "not for anything else"


@contextmanager
def start(folder: Path, programs: Path, port: int) -> Iterator[Running]:
    """A project with one superuser, by Django's own development server."""
    project = folder / "project"
    if not project.exists():
        project.mkdir()
        account = {"DJANGO_SUPERUSER_USERNAME": USERNAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SUPERUSER_EMAIL": "dana@example.com"}
        for words in ("django-admin startproject desk .", "python manage.py migrate -v0", "python manage.py createsuperuser --noinput"):
            program, *arguments = words.split()
            subprocess.run([programs / program, *arguments], cwd=project, env=os.environ | account, check=True, capture_output=True)
    with running([programs / "python", project / "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"], folder, port) as app:
        yield app


APP = App(
    name="django-admin",
    keeps="cookie + CSRF",
    username=USERNAME,
    password=PASSWORD,
    install=partial(install_python, name="django"),
    start=start,
    page="/admin/",
    inside="#logout-form",
    login_line=r'"POST /admin/login/[^"]*" 302',
)
