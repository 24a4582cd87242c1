"""Arguments of public calls: how they are declared, taken by name, and checked."""
