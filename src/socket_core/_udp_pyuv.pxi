# Joining a loop of pyuv, which has no header: its structure is found by its place, and checked.


# docs/core.md tells more.
HOW_TO_BUILD_PYUV = (
    'build pyuv against the libuv that this module is linked with: '
    "printf '[build_ext]\\nuse-system-libuv=1\\n' > pyuv.cfg; "
    'DIST_EXTRA_CONFIG=$PWD/pyuv.cfg pip install --no-binary :all: pyuv, '
    'and build socket_core from source, too (packaging/pyuv)'
)


cdef uv_loop_t *loop_of_pyuv(object loop) except NULL:
    """The libuv loop in a `pyuv.Loop`.

    Its C structure begins with the head of an object, two pointers (weak references and attributes), the loop, and a
    pointer to the loop in use, whose `data` is the object itself.
    """
    try:
        import pyuv
        from pyuv import _cpyuv
    except ImportError as error:
        raise LoopError(f'pyuv cannot be imported: {error}') from error
    if not isinstance(loop, pyuv.Loop):
        raise TypeError(f'loop must be a pyuv.Loop, not {loop.__class__.__name__}')
    if not getattr(sys, '_is_gil_enabled', bool_true)():
        raise LoopError('pyuv cannot be used without the GIL')
    path = os.fsencode(_cpyuv.__file__)
    cdef int same = guest_shares_libuv(path)
    if same < 0:
        raise LoopError('on this system it cannot be told whether pyuv has the same libuv, so its loops are not joined')
    if same == 0:
        raise LoopError(f'pyuv brings a libuv of its own (this one is {LIBUV_VERSION}); {HOW_TO_BUILD_PYUV}')
    cdef size_t place = object.__basicsize__ + 2 * sizeof(void *) + uv_loop_size()
    if pyuv.Loop.__basicsize__ < place + sizeof(void *):
        raise LoopError('this version of pyuv is not known: its Loop is shorter than expected')
    cdef uv_loop_t *found = (<uv_loop_t **>(<char *><PyObject *>loop + place))[0]
    if found is NULL or found.data != <void *>loop:
        raise LoopError('this version of pyuv is not known: there is no loop where it was expected')
    return found


def bool_true():
    return True
