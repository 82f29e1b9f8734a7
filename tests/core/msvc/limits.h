#pragma once
#define INT_MAX 0x7FFFFFFF
#define UINT_MAX 0xFFFFFFFFu
