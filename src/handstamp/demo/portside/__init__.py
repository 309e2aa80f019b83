"""portside: a stand-in container-terminal portal with a browser login, an account page and a container list."""
