"""HTTP clients that are logged in: `Client`, `AsyncClient` and `requests_session`.

The sync and async clients are one mixin over the library's own class; `flow` decides for both.
"""
