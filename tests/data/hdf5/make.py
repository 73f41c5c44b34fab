"""Writes the HDF5 files of this folder: python make.py (h5py, numpy)."""
import h5py
import numpy as np

with h5py.File("types.h5", "w") as f:
    f.attrs["units"] = "ms"
    f.attrs["version"] = np.array([0, 1], np.uint32)
    f["half"] = np.array([1.5, -2.0, 65504.0], np.float16)
    f["bool"] = np.array([True, False, True])
    f["big_endian"] = np.array([1, -2, 3], ">i2")
    f["big_float"] = np.array([0.5, -1e300], ">f8")
    f["fixed_text"] = np.array([b"dense", b"conv"], "S10")
    f["utf8_text"] = "τ in ms"
    f["texts"] = [["a", "b.c"], ["", "long " * 20]]
    f["scalar"] = np.uint64(2**64 - 1)
    f["empty"] = np.zeros((0, 3), np.float32)
    f["null"] = h5py.Empty("f4")
    a = np.arange(7 * 11 * 3, dtype=np.int32).reshape(7, 11, 3)
    f.create_dataset("chunked", data=a, chunks=(3, 4, 2), compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("plain_chunks", data=a.astype(np.float64), chunks=(2, 11, 3))
    f.create_dataset("resizable", data=np.arange(5.0), maxshape=(None,))
    f.create_dataset("unwritten", shape=(4,), dtype="i8")
    f.create_dataset("filled", shape=(4,), dtype="i8", fillvalue=7)
    f.create_dataset("sorting", data=1, dtype=h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}))
    f.create_dataset("lzf", data=np.arange(100), compression="lzf")
    f["compound"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    f["soft"] = h5py.SoftLink("/half")
    f["outside"] = h5py.ExternalLink("/etc/hostname", "/x")
    many = f.create_group("many")
    for k in range(300):
        many[f"member{k:03}"] = k
    ordered = f.create_group("ordered", track_order=True)
    ordered["z"] = 1
    ordered["a"] = 2
with h5py.File("latest.h5", "w", libver="latest") as f:
    f["contiguous"] = np.arange(3.0)
    f.create_dataset("chunked", data=np.arange(30), chunks=(10,))
with h5py.File("user_block.h5", "w", userblock_size=512) as f:
    f["text"] = "behind a user block"
