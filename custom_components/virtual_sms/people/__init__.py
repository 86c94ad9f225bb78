"""The people of this home: who they are, and how far they are trusted."""
