// Prints the ports, of those that the kernel gives servers, at which this machine refuses its own connections (EHOSTUNREACH), with those
// that are reserved already, as /proc/sys/net/ipv4/ip_local_reserved_ports takes them. Nothing where there are none.
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

const AT_ONCE = 32;
const setting = (name) => readFileSync(`/proc/sys/net/ipv4/${name}`, "utf8").trim();
const [first, last] = setting("ip_local_port_range").split(/\s+/).map(Number);
const deaf = [];

/** Listens at a port and connects to it; a port that is taken is passed over. */
const ask = (port) =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", resolve);
    server.listen(port, "127.0.0.1", () => {
      const end = (error) => {
        if (error?.code === "EHOSTUNREACH") deaf.push(port);
        server.close(resolve);
      };
      const socket = connect(port, "127.0.0.1", () => {
        socket.resetAndDestroy();
        end();
      }).once("error", end);
    });
  });

let next = first;
const lane = async () => {
  while (next <= last) await ask(next++);
};
await Promise.all(Array.from({ length: AT_ONCE }, lane));
if (deaf.length > 0) {
  const reserved = setting("ip_local_reserved_ports");
  console.log([...(reserved === "" ? [] : [reserved]), ...deaf.sort((left, right) => left - right)].join(","));
}
