import fc from "fast-check";
import { lastAddress, networkOf } from "../../../edge/http/address.ts";
import { RateLimit, RateLimits } from "../../../edge/http/rate_limit.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("RateLimit take() lets a burst through and then as many a minute, whatever the times", () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 30_000 }), times: fc.integer({ min: 1, max: 5 }) });
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step, { maxLength: 60 }), (perMinute, steps) => {
    const limit = new RateLimit(perMinute);
    let [now, taken] = [1_000_000, 0];
    for (const { wait, times } of steps) {
      now += wait;
      for (let i = 0; i < times; i++) {
        const seconds = limit.take("somebody", now);
        if (seconds === 0) taken++;
        // Who waits as long as told gets through, and not much earlier.
        else assert(seconds >= 1 && seconds <= Math.ceil(60 / perMinute), `${seconds} s at ${perMinute} a minute`);
      }
      const passed = now - 1_000_000;
      assert(taken <= perMinute + passed * perMinute / 60_000 + 1e-6, `${taken} in ${passed} ms at ${perMinute}`);
    }
  }));
});

Deno.test("RateLimit take() lets through who waited as long as it said, and nobody a second before that", () => {
  for (const perMinute of [1, 7, 59, 60, 61, 1_000]) {
    for (const [wait, through] of [[0, true], [-1_001, false]] as const) {
      const limit = new RateLimit(perMinute);
      for (let i = 0; i < perMinute; i++) assertEquals(limit.take("a", 0), 0);
      const seconds = limit.take("a", 0);
      assertEquals(seconds, Math.ceil(60 / perMinute));
      const later = seconds * 1_000 + wait;
      if (later > 0) assertEquals(limit.take("a", later) === 0, through, `${perMinute} a minute after ${later} ms`);
    }
  }
});

Deno.test("RateLimit take() counts names apart, and forgets nobody who was there lately", () => {
  const limit = new RateLimit(1, 8);
  assertEquals([limit.take("a", 0), limit.take("b", 0)], [0, 0]);
  assertEquals([limit.take("a", 0), limit.take("b", 0)], [60, 60]);
  for (let i = 0; i < 3; i++) limit.take(`other ${i}`, 0);
  assertEquals(limit.take("a", 0), 60);
  assertEquals(new RateLimit(null).take("a", 0), 0);
});

Deno.test("RateLimit take() neither fills nor empties when the clock is set back", () => {
  const limit = new RateLimit(2);
  limit.take("a", 100_000);
  limit.take("a", 100_000);
  assertEquals(limit.take("a", 0), 30);
  assertEquals(limit.take("a", 30_000), 0);
});

Deno.test("RateLimits take() counts addresses, and no owner where they are known", () => {
  const limits = new RateLimits(3, 2);
  for (let i = 0; i < 20; i++) assertEquals(limits.take(`192.0.2.${i}`, "x", true, 0), 0);
  for (let i = 0; i < 3; i++) assertEquals(limits.take("1.2.3.4", ["x", "y", "z"][i] ?? "", i === 0, 0), 0);
  assertEquals([limits.take("1.2.3.4", "x", true, 0), limits.take("1.2.3.4", "w", false, 0)], [20, 20]);
  assertEquals(limits.take("1.2.3.5", "x", true, 0), 0);
});

Deno.test("RateLimits take() counts the logins of an owner, and nothing else, where no address is known", () => {
  const limits = new RateLimits(3, 2);
  for (let i = 0; i < 20; i++) assertEquals(limits.take(null, "x", false, 0), 0);
  assertEquals([1, 2, 3].map(() => limits.take(null, "x", true, 0)), [0, 0, 30]);
  assertEquals([limits.take(null, "y", true, 0), limits.take(null, "x", false, 0)], [0, 0]);
});

Deno.test("networkOf() counts an IPv4 address by itself and an IPv6 address by its first 64 bits", () => {
  for (
    const [address, network] of [
      ["192.0.2.1", "192.0.2.1"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["::FFFF:192.0.2.1", "192.0.2.1"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
      ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
      ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
      ["2001:db8::1", "2001:db8:0:0::/64"],
      ["fe80::1%eth0", "fe80:0:0:0::/64"],
      ["::1", "0:0:0:0::/64"],
      ["::", "0:0:0:0::/64"],
    ] as const
  ) assertEquals(networkOf(address), network, address);
});

Deno.test("networkOf() gives all addresses of a network one name, however they are spelt", () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  fc.assert(fc.property(groups, fc.boolean(), (numbers, upper) => {
    const spell = (list: readonly number[]) => list.map((group) => group.toString(16)).join(":");
    const address = spell(numbers);
    const neighbour = spell([...numbers.slice(0, 4), 1, 2, 3, 4]);
    assertEquals(networkOf(upper ? address.toUpperCase() : address), networkOf(neighbour));
    assertEquals(
      new URL(`http://[${networkOf(address).slice(0, -3)}]`).hostname,
      new URL(
        `http://[${spell([...numbers.slice(0, 4), 0, 0, 0, 0])}]`,
      ).hostname,
    );
  }));
});

Deno.test("lastAddress() believes what the proxy added, and nothing that stood before", () => {
  assertEquals(lastAddress("192.0.2.1"), "192.0.2.1");
  assertEquals(lastAddress("10.0.0.1, 192.0.2.1"), "192.0.2.1");
  assertEquals(lastAddress("forged, 2001:db8::1 "), "2001:db8::1");
  for (const header of [null, "", " ", "192.0.2.1,", "x".repeat(65)]) assertEquals(lastAddress(header), null);
});
