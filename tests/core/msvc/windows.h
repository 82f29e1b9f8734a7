#pragma once
typedef struct { void *ptr; } SRWLOCK;
typedef int BOOL;
typedef unsigned long DWORD;
typedef unsigned char BOOLEAN;
void InitializeSRWLock(SRWLOCK *);
void AcquireSRWLockExclusive(SRWLOCK *);
void ReleaseSRWLockExclusive(SRWLOCK *);
BOOLEAN TryAcquireSRWLockExclusive(SRWLOCK *);
BOOL IsProcessorFeaturePresent(DWORD);
typedef struct { DWORD dwPageSize; } SYSTEM_INFO;
enum { MEM_COMMIT = 0x1000, MEM_RESERVE = 0x2000, MEM_RELEASE = 0x8000, PAGE_READWRITE = 4 };
void GetSystemInfo(SYSTEM_INFO *);
void *VirtualAlloc(void *, unsigned long long, DWORD, DWORD);
BOOL VirtualFree(void *, unsigned long long, DWORD);
