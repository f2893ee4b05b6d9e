"""Where bytes lie: folders of this machine, and objects on S3, Azure and Google Cloud.

A `Location` is a ``Path`` or an `ObjectPath`, which has the part of a path's interface that the rest of the code uses.
Whose keys open a place is found out in `accounts`, and turned there into the options of obstore (our own reads and
writes), delta-rs and DataFusion alike.
"""
