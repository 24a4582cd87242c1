"""The note that tells the library `datasets` which files of an output folder hold the rows.

Without it `load_dataset(folder)` goes by what most of the files are, and a selection of one part
has more JSON files beside its rows than files with rows.
"""

from __future__ import annotations

import hashlib

from dsir.output.folder import DATA_FOLDER, DATASET_NOTE
from dsir.output.writer import FileAccount, writing
from dsir.remote import Location
from dsir.storage.atomic import atomic_file

_CONTENT = f"""\
configs:
- config_name: default
  data_files:
  - split: train
    path: {DATA_FOLDER}/*
""".encode()


def write_dataset_note(folder: Location) -> FileAccount:
    """Write the note to an output folder, and return its account; it has no rows.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / DATASET_NOTE
    with writing(path), atomic_file(path) as file:
        file.write(_CONTENT)
    return FileAccount(path, len(_CONTENT), 0, hashlib.sha256(_CONTENT).hexdigest())
