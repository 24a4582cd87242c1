"""Files that survive a crash: atomic writes, sealed JSON, work directories and their lock."""
