/* Runs at privilege 1, copied to a page of its own; each piece must not depend on its place. */
	.text
	.globl user_code, user_code_end
user_code:

	.globl user_privileged
user_privileged:
	mfmsr %r3
	b .

	.globl user_read
user_read:	/* the devices' window: the loader's own mapping of RAM may be open to all */
	lis %r4, 0xe000
	lwz %r3, 0(%r4)
	b .

	.globl user_calls
user_calls:	/* the kernel adds one to r3 each time */
	li %r3, 40
	sc
	sc
	trap
	b .
user_code_end:
