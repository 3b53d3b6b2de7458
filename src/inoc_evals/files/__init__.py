"""Files as they come and as they are left: JSON, YAML, rows, whole or not at all.

atomic       write_text, write_bytes, new_directory: a reader sees old or new, never a part
beside       where what is written lies meanwhile; what kills left there is removed
disk         a full disk, in words
digests      sha256 of values and of files
directories  the files that make a model directory what it is, and what changed of them
json_lines   JSON whose errors name file and line
yaml_lines   YAML whose errors name file and line, entry by entry or node by node
yaml_nodes   YAML as nodes or as values
stamp        what changes when a file does
source       the digest of this package's own files
row_forms    forms that rows of other projects come in
"""
