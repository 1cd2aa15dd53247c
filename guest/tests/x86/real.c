/* Out to real mode and back: SDM vol. 3 sections 9.9 and 20.1. What runs there lies at 8000:0, its words from 8000:f00 on. */
#include "tests.h"

enum { CODE_AT = 0x80000, CODE16 = FREE, DATA16 = FREE + 8, WORDS_AT = CODE_AT + 0xf00 };

/* Called at CODE_AT. FS is flat when it leaves; vector 13 of real mode leads to `refused`. */
CODE_OF(excursion,
	"pushal\n"
	"movl %esp, 0x80f00\n"
	"sidt 0x80f08\n"
	"lidt 0x80f10\n"
	"ljmp $0x30, $leave - excursion\n"
	".code16\n"
	"leave:\n"
	"movw $0x38, %ax\n"
	"movw %ax, %ds\n"
	"movw %ax, %es\n"
	"movw %ax, %ss\n"
	"movl %cr0, %eax\n"
	"andb $0xfe, %al\n"
	"movl %eax, %cr0\n"
	"ljmp $0x8000, $real - excursion\n"
	"real:\n"
	"movw $0x9000, %ax\n"
	"movw %ax, %ss\n"
	"movw $0xf000, %sp\n"
	"xorw %ax, %ax\n"
	"movw %ax, %fs\n"
	"movl $0x100000, %esi\n"
	"movl %fs:(%esi), %ebx\n"
	"movl %ebx, %cs:0xf20\n"
	"back:\n"
	"movl %cr0, %eax\n"
	"orb $1, %al\n"
	"movl %eax, %cr0\n"
	"ljmpl $8, $0x80000 + home - excursion\n"
	"refused:\n"
	"movw $0x8000, %ax\n"
	"movw %ax, %ds\n"
	"incw 0xf24\n"
	"jmp back\n"
	".code32\n"
	"home:\n"
	"movl $0x10, %eax\n"
	"movl %eax, %ds\n"
	"movl %eax, %es\n"
	"movl %eax, %fs\n"
	"movl %eax, %ss\n"
	"movl 0x80f00, %esp\n"
	"lidt 0x80f08\n"
	"popal\n"
	"ret");

extern const char refused[];

void real_tests(void)
{
	volatile u32 *words = (u32 *)WORDS_AT;
	u32 *real_gp = (u32 *)(GP * 4), before = *real_gp;

	reset_tables();
	set_segment(CODE16, CODE_AT, 0xffff, PRESENT | CODE, false);
	set_segment(DATA16, 0, 0xffff, PRESENT | DATA, false);
	fill((void *)WORDS_AT, 0, 64);
	copy((void *)CODE_AT, excursion, excursion_end - excursion);
	words[4] = 0x3ff;
	*real_gp = CODE_AT << 12 | (u32)(refused - excursion);
	__asm__ volatile("movw %w0, %%fs" :: "r"(KERNEL_DATA));
	((void (*)(void))CODE_AT)();
	*real_gp = before;
	check(words[9] == 0, "real mode: a far jump there makes CS writable");
	check(words[8] == *(u32 *)0x100000, "real mode: a paragraph keeps the limit that its register had");
}
