/** Tells systemd that the service is up and what it did last, by systemd's own tool (sd_notify(3)). */

/** What systemd is told. */
export type Notification = "ready" | "stopping" | { readonly status: string };

/**
 * A function that notifies systemd; outside of a service of `Type=notify` it does nothing.
 *
 * @param socket the value of `$NOTIFY_SOCKET`
 */
export function notifier(socket: string | undefined): (notification: Notification) => Promise<void> {
  if (socket === undefined) return () => Promise.resolve();
  return async (notification) => {
    const args = typeof notification === "string"
      ? [`--${notification}`]
      : [`--status=${notification.status.replace(/[^\x20-\x7e]/g, " ")}`];
    try {
      await new Deno.Command("systemd-notify", { args, stdout: "null", stderr: "null" }).output();
    } catch (error) {
      // Without the tool, systemd sees a service that never becomes ready, and says so itself.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
}
