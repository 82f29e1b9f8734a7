"""What of libuv is used from Cython; everything that runs in a loop is C (`_engine*.c`)."""


cdef extern from '_system.h':
    pass


cdef extern from 'uv.h' nogil:
    ctypedef struct uv_loop_t:
        void *data

    const char *uv_version_string()
    char *uv_strerror_r(int error, char *text, size_t room)
    char *uv_err_name_r(int error, char *text, size_t room)
    size_t uv_loop_size()

    enum:
        UV_EBADF
        UV_ECANCELED
        UV_EMSGSIZE
        UV_ENOTSUP
        UV_ETIMEDOUT
