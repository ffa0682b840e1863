/** Services that sent something, and which calls which. */
import type { VNode } from "preact";
import { api } from "./client.ts";
import { useLoaded } from "./loaded.ts";
import { MapPanel } from "./map.tsx";
import { NO_FILTER, NOTHING_SOUGHT, STAGES, endpointsHref, hrefOf } from "./route.ts";
import { Count, Empty, Failed, Foreign, Loading, ServiceName, StageMark, Time } from "./text.tsx";

const EVERY_MS = 10_000;

export function Services(): VNode {
  const { data, error, reload } = useLoaded("services", api.services, EVERY_MS);
  return (
    <>
      <section class="panel" aria-labelledby="services-title">
        <div class="panel-head">
          <h1 id="services-title" tabIndex={-1}>
            Services
          </h1>
        </div>
        {data === null ? (
          error === null ? (
            <Loading what="services" />
          ) : (
            <Failed error={error} retry={reload} />
          )
        ) : data.services.length === 0 ? (
          <Empty title="No service has sent anything yet.">
            <p>A service shows here with its first finding, or what is observed of it.</p>
          </Empty>
        ) : (
          <table class="services">
            <thead>
              <tr>
                <th scope="col">Service</th>
                {STAGES.map((stage) => (
                  <th key={stage} scope="col" class="number">
                    <StageMark stage={stage} /> {stage}
                  </th>
                ))}
                <th scope="col" class="number">
                  Endpoints
                </th>
                <th scope="col" class="number">
                  Events
                </th>
                <th scope="col">Last seen</th>
                <th scope="col">Module, policy</th>
              </tr>
            </thead>
            <tbody>
              {data.services.map((one) => {
                const filter = { ...NO_FILTER, service: one.service, namespace: one.namespace ?? "" };
                return (
                  <tr key={`${one.namespace ?? ""}/${one.service}`}>
                    <th scope="row">
                      <a href={hrefOf("findings", null, filter)}>
                        <ServiceName {...one} />
                      </a>
                    </th>
                    {STAGES.map((stage) => (
                      <td key={stage} class={`number ${one.findings[stage] === 0 ? "none" : stage}`} data-name={stage}>
                        <Count of={one.findings[stage]} />
                      </td>
                    ))}
                    <td class="number" data-name="endpoints">
                      <a
                        href={endpointsHref({
                          ...NOTHING_SOUGHT,
                          service: one.service,
                          namespace: one.namespace ?? "",
                        })}
                      >
                        <Count of={one.endpoints} />
                        <span class="hidden"> endpoints</span>
                      </a>
                    </td>
                    <td class="number" data-name="events">
                      <Count of={one.events} />
                    </td>
                    <td data-name="last seen">
                      <Time at={one.last_seen} />
                    </td>
                    <td data-name="module, policy" class="soft">
                      {one.version !== null && <Foreign text={one.version} />}{" "}
                      {one.policy !== null && (
                        <code>
                          <Foreign text={one.policy} />
                        </code>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </section>
      <MapPanel />
    </>
  );
}
