/* What has to be said before the first header of the system is included: that we use more than ISO C. */
#ifndef SOCKET_CORE_SYSTEM_H
#define SOCKET_CORE_SYSTEM_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#if defined(_WIN32) && !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif

#endif
