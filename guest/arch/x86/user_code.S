/* Runs at privilege 3, copied to a page of its own; each piece must not depend on its place. */
	.text
	.globl user_code, user_code_end
user_code:

	.globl user_cli
user_cli:
	cli
	jmp .

	.globl user_in
user_in:
	inb $0x80, %al
	jmp .

	.globl user_soft
user_soft:	/* vector 0x50 belongs to a device: its gate is for privilege 0 */
	int $0x50
	jmp .

	.globl user_read
user_read:	/* kernel memory */
	movl 0x100000, %eax
	jmp .

	.globl user_write
user_write:
	movl %eax, 0x100000
	jmp .

	.globl user_calls
user_calls:	/* the kernel adds one to eax each time */
	movl $40, %eax
	int $0xe0
	int $0xe0
	int3
	jmp .
	.globl user_pusha
user_pusha:	/* half of the 32 bytes are on an absent page */
	movl $0xdddd, %edi
	pushal
	int3
	jmp .
user_code_end:
