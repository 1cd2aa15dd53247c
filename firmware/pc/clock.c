// INT 08h and INT 1Ah: the time of day for programs which know only the BIOS. Counter 0 of the
// 8254 divides by 65536, as it has done since the first PC; real.S counts its interrupts.
#include "pc.h"

#define I8254_CONTROL (I8254_PORT + 3)
#define COUNTER0_SQUARE_WAVE 0x36  // both bytes of the divisor, mode 3

#define RTC_STATUS_A 0x0a
#define RTC_UPDATE_IN_PROGRESS 0x80
#define RTC_SECONDS 0x00
#define RTC_MINUTES 0x02
#define RTC_HOURS 0x04
#define RTC_DAY 0x07
#define RTC_MONTH 0x08
#define RTC_YEAR 0x09
#define RTC_CENTURY 0x32

// BIOS data area; real.S knows both of them too
#define BDA_TICKS ((volatile uint32 *)0x46c)  // since midnight
#define BDA_MIDNIGHT ((volatile uint8 *)0x470)  // has it been midnight since this was asked?

static uint8 rtc(uint8 index) {
  outb(MC146818_PORT, index);
  return inb(MC146818_PORT + 1);
}

// The next update is 244 microseconds away at least: MC146818 datasheet, "update cycle".
static void rtc_settle(void) {
  while (rtc(RTC_STATUS_A) & RTC_UPDATE_IN_PROGRESS)
    ;
}

static uint32 binary(uint8 bcd) {
  return (bcd >> 4) * 10 + (bcd & 0xf);
}

void clock_init(void) {
  rtc_settle();
  uint32 seconds = (binary(rtc(RTC_HOURS)) * 60 + binary(rtc(RTC_MINUTES))) * 60 + binary(rtc(RTC_SECONDS));
  // 1193182 / 65536 a second: 18 and 13534/65536
  *BDA_TICKS = seconds * 18 + (seconds * 13534 >> 16);
  *BDA_MIDNIGHT = 0;
  outb(I8254_CONTROL, COUNTER0_SQUARE_WAVE);
  outb(I8254_PORT, 0);
  outb(I8254_PORT, 0);
  outb(I8259_MASTER_PORT + 1, (uint8)~(1 << I8254_IRQ));
}

// Whether the function is there.
int clock_service(struct bios_frame *f) {
  switch (f->eax >> 8 & 0xff) {
  case 0x00:
    set_low(&f->edx, *BDA_TICKS);
    set_low(&f->ecx, *BDA_TICKS >> 16);
    set_low(&f->eax, *BDA_MIDNIGHT);
    *BDA_MIDNIGHT = 0;
    return 1;
  case 0x01:
    *BDA_TICKS = (f->ecx & 0xffff) << 16 | (f->edx & 0xffff);
    *BDA_MIDNIGHT = 0;
    return 1;
  case 0x02:  // the fields as they are, in BCD
    rtc_settle();
    set_low(&f->ecx, rtc(RTC_HOURS) << 8 | rtc(RTC_MINUTES));
    set_low(&f->edx, rtc(RTC_SECONDS) << 8);
    return 1;
  case 0x04:
    rtc_settle();
    set_low(&f->ecx, rtc(RTC_CENTURY) << 8 | rtc(RTC_YEAR));
    set_low(&f->edx, rtc(RTC_MONTH) << 8 | rtc(RTC_DAY));
    return 1;
  }
  debug("int 1ah: function %x is not there\n", f->eax >> 8 & 0xff);
  return 0;
}
