/**
 * How the runtime is started for a manager. V8's young generation grows to 32 MiB a half by itself, and the old one to several times what is
 * alive in it; and what a push drops, outside of V8's heap too, stays until they are full. Measured at a push of 100,000 rows, highest
 * resident: 230 to 255 MiB by itself, 200 to 225 with 4 MiB a half, 133 when the old one grows by 20 percent besides, for no processor
 * time that could be told.
 */
export const MANAGER_V8_FLAGS = "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=20";

/**
 * Its environment. glibc keeps what was freed of a size that it has seen before, so bodies of a MiB would leave holes that the rest cannot
 * use (70 of 100 MiB at the end of a push of 100,000 rows); with a fixed threshold they go back to the system at once.
 */
export const MANAGER_ENV: Readonly<Record<string, string>> = { MALLOC_MMAP_THRESHOLD_: "131072" };
