/** Are both types the same, not merely assignable? */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
/** Fails to compile unless `T` is true. */
export type Expect<T extends true> = T
