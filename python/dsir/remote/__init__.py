"""Files in object stores and on web servers, named by URL."""

from __future__ import annotations

from dsir.remote.location import Location, RemotePath, is_url, location_of, within
from dsir.remote.mirror import Folder, Mirror, folder_of

__all__ = [
    "Folder",
    "Location",
    "Mirror",
    "RemotePath",
    "folder_of",
    "is_url",
    "location_of",
    "within",
]
