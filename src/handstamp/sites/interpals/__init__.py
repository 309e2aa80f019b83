"""interpals, an account service that is spoken to in JSON: its recipe. There is no page to log in on."""
