/* What pyuv 1.4.0 needs to be built for Python 3.11 and later, without a change to its sources: `install`, beside this
 * file, has the compiler include it before every one of them (`-include`).
 *
 * pyuv's last release is of 2017. Each part below says what has changed since, and why the replacement is right.
 */
#ifndef PYUV_COMPAT_H
#define PYUV_COMPAT_H

/* pyuv.h defines it too; it has to stand before the first Python.h, and that is this one. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Its types are static and it writes reference counts by hand, which needs the GIL's promise that nobody else does. */
#ifdef Py_GIL_DISABLED
#error "pyuv cannot be built for a Python without the GIL"
#endif

/* Since 3.10 `Py_REFCNT(x) = n` is no longer C. handle.c does it once, to bring a dropped handle back to life until
 * libuv has closed it: nobody else knows the object then, so that the plain field may be written. */
#if PY_VERSION_HEX >= 0x030A0000
#undef Py_REFCNT
#define Py_REFCNT(object) (((PyObject *)(object))->ob_refcnt)
#endif

/* PyUnicode_EncodeUTF8 went with 3.11, the two macros that feed it with 3.12. They meet in one place (common.c), which
 * encodes a file's name; PyUnicode_EncodeFSDefault does that for the string itself, on every system. */
#if PY_VERSION_HEX >= 0x030B0000
#undef PyUnicode_AS_UNICODE
#undef PyUnicode_GET_SIZE
#define PyUnicode_AS_UNICODE(string) (string)
#define PyUnicode_GET_SIZE(string) (0)
#define PyUnicode_EncodeUTF8(string, size, errors) PyUnicode_EncodeFSDefault(string)
#endif

/* Deprecated since 3.12 and due to go; without a name, common.c takes the branch above. */
#if PY_VERSION_HEX >= 0x030C0000
#define Py_FileSystemDefaultEncoding ((const char *)NULL)
#endif

/* Went with 3.13; it did nothing since 3.9. */
#if PY_VERSION_HEX >= 0x030D0000
#define PyEval_InitThreads() ((void)0)
#endif

/* pyuv frees memory in libuv's close callbacks, where it does not hold the GIL. Python's allocator allows that to the
 * raw functions only: with the others, Python 3.12 and later crash in it. Both have to change, as what one took the
 * other must not give back. */
#define PyMem_Malloc PyMem_RawMalloc
#define PyMem_Free PyMem_RawFree

#endif
