"""How providers reach this home: its webhooks, and the URLs that lead to them."""
