import { expect, it } from 'vitest'
import { readDeviceNames } from './device-names.ts'

const source = `
#define PREFIX "vendor,"
#define WHOLE(name, info) { .compatible = name, .data = info }
#define ENTRY(model, info) { .compatible = "vendor," #model, .data = &info##_data }
static const struct of_device_id __maybe_unused first_match[] = {
	{ .compatible = "vendor,first" },
	{ .compatible = PREFIX "second", .data = (void *)"vendor,no-entry" },
	ENTRY(third, x),
	WHOLE("vendor,fourth", x),
	/* { .compatible = "vendor,comment" }, */
	{ },
};
MODULE_DEVICE_TABLE(of, first_match);
static struct platform_driver driver = { .driver = { .of_match_table = of_match_ptr(registered) } };
static const struct of_device_id registered[] __initconst = {{ .compatible = "vendor,registered" }, {}};
static const struct of_device_id looked_up[] = { { .compatible = "vendor,looked-up" }, {} };
const struct of_device_id shared[] = { { .compatible = "vendor,shared" }, {} };
CLK_OF_DECLARE(clock, "vendor,clock", setup);
IRQCHIP_DECLARE(chip, "vendor,chip", setup);
OF_EARLYCON_DECLARE(early, "vendor,early", setup);
OF_EARLYCON_DECLARE(early, "vendor,registered", setup);
static const struct mmc_fixup fixups[] = { SDIO_FIXUP_COMPATIBLE("vendor,card", add_quirk, 1), END_FIXUP };
IRQCHIP_PLATFORM_DRIVER_BEGIN(x)
IRQCHIP_MATCH("vendor,matched", setup)
static const struct i2c_device_id ids[] = { { "short-one", 0 }, { .name = "short-two" }, { } };
static const struct spi_device_id spi_ids[] = { { "short-three" }, { } };
#ifdef CONFIG_OFF
static const struct of_device_id more[] = { { .compatible = "vendor,more" }, {} };
MODULE_DEVICE_TABLE(of, more);
#endif
int f(void) { return of_device_is_compatible(np, "vendor,asked"); }
`

it('drivers are what tables that are registered or exported have, and what the kernel declares', () => {
  const { driven, aliased, shortNames, undriven, mentioned } = readDeviceNames(source, { symbol: () => 'n' })
  expect([...aliased]).toEqual(
    ['first', 'second', 'third', 'fourth', 'matched'].map((name) => `vendor,${name}`),
  )
  const more = ['registered', 'shared', 'clock', 'chip'].map((name) => `vendor,${name}`)
  expect([...driven].sort()).toEqual([...aliased, ...more].sort())
  expect([...shortNames]).toEqual(['short-one', 'short-two', 'short-three'])
  expect([...undriven]).toEqual(['vendor,early', 'vendor,card'])
  expect([...mentioned()]).toEqual(expect.arrayContaining(['vendor,looked-up', 'vendor,asked']))
  for (const name of undriven) expect(mentioned()).not.toContain(name)
  expect(mentioned()).not.toContain('vendor,comment')
})

it('without a configuration everything counts as compiled', () => {
  expect(readDeviceNames(source).aliased).toContain('vendor,more')
})

it.each([
  'struct of_device_id x[] = {',
  'struct of_device_id x[] = { .compatible = "',
  'static struct of_device_id x[] = { M( } ;',
])('a file that is cut off is read as far as it goes: %j', (text) =>
  expect(readDeviceNames(text).driven.size).toBe(0),
)
