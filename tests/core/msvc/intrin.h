#pragma once
long _InterlockedOr(volatile long *, long);
long _InterlockedExchange(volatile long *, long);
long _InterlockedCompareExchange(volatile long *, long, long);
void _BitScanForward64(unsigned long *, unsigned long long);
