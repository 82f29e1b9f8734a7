/* Nothing that uses it is checked for more than the words of GCC. */
typedef int only_looked_at_t;
