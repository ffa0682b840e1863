/** A cloud's metadata service as an instance sees it: Amazon's, Google's, Microsoft's and Alibaba's paths, with made-up credentials. */
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { SECRETS } from "../ground/people.ts";

const credentials = {
  Code: "Success",
  LastUpdated: "2026-11-20T06:12:51Z",
  Type: "AWS-HMAC",
  AccessKeyId: SECRETS.awsTemporaryKeyId,
  SecretAccessKey: SECRETS.awsSecret,
  Token: `IQoJb3JpZ2luX2VjE${SECRETS.awsSecret}${SECRETS.awsSecret}==`,
  Expiration: "2026-11-20T12:32:17Z",
};

const ANSWERS: Readonly<Record<string, string>> = {
  "/latest/meta-data/":
    "ami-id\nami-launch-index\nhostname\niam/\ninstance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nplacement/\n" +
    "public-keys/\nreservation-id\nsecurity-groups",
  "/latest/meta-data/iam/security-credentials/": "shop-catalogue-role",
  "/latest/meta-data/iam/security-credentials/shop-catalogue-role": JSON.stringify(credentials, null, 2),
  "/latest/dynamic/instance-identity/document": JSON.stringify({
    accountId: "123456789012",
    architecture: "x86_64",
    availabilityZone: "eu-north-1a",
    imageId: "ami-0c5f1a6a3e5b0a9d1",
    instanceId: "i-0b22a22eec53b9321",
    instanceType: "t3.small",
    privateIp: "10.20.4.17",
    region: "eu-north-1",
    version: "2017-09-30",
  }),
  "/v2/credentials/7f1c9a52-0d34-4a6b-8f0e-2b9d6c1e5a77": JSON.stringify({
    RoleArn: "arn:aws:iam::123456789012:role/shop-catalogue-task",
    AccessKeyId: SECRETS.awsTemporaryKeyId,
    SecretAccessKey: SECRETS.awsSecret,
    Token: `IQoJb3JpZ2luX2VjE${SECRETS.awsSecret}${SECRETS.awsSecret}==`,
    Expiration: "2026-11-22T18:32:17Z",
  }),
  "/latest/user-data": "#!/bin/bash\nexport DB_PASSWORD=rosebud-1941\n/opt/shop/start\n",
  "/latest/meta-data/ram/security-credentials/shop-ecs": JSON.stringify({
    AccessKeyId: `STS.${SECRETS.awsSecret.slice(0, 25).replace(/[+/]/g, "x")}`,
    AccessKeySecret: SECRETS.awsSecret.replace(/[+/]/g, "y"),
    Expiration: "2026-11-20T12:32:17Z",
    SecurityToken: `CAIS${SECRETS.awsSecret.replace(/[+/]/g, "z")}`,
    Code: "Success",
  }),
};

function googleAnswer(request: IncomingMessage): [number, string] {
  if (request.headers["metadata-flavor"] !== "Google") return [403, "Missing Metadata-Flavor:Google header.\n"];
  const token = {
    access_token: `ya29.c.${SECRETS.awsSecret.replace(/[+/]/g, "-")}`,
    expires_in: 3599,
    token_type: "Bearer",
  };
  return [200, JSON.stringify(token)];
}

function azureAnswer(request: IncomingMessage): [number, string] {
  if (request.headers.metadata !== "true") {
    const error = "Bad request. Required metadata header not specified";
    return [400, JSON.stringify({ error })];
  }
  const compute = {
    azEnvironment: "AzurePublicCloud",
    location: "norwayeast",
    name: "shop-orders-2",
    osType: "Linux",
    resourceGroupName: "shop-production",
    subscriptionId: "8d10da13-8125-4ba9-a717-bf7490507b3d",
    vmId: "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
    vmSize: "Standard_D2s_v5",
  };
  const address = { privateIpAddress: "10.20.4.41", publicIpAddress: "" };
  const network = { interface: [{ ipv4: { ipAddress: [address], subnet: [{ address: "10.20.4.0", prefix: "24" }] } }] };
  return [200, JSON.stringify({ compute, network })];
}

export const createMetadata = (): Server =>
  createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0]!;
    const [status, text] = path.startsWith("/computeMetadata/")
      ? googleAnswer(request)
      : path === "/metadata/instance"
        ? azureAnswer(request)
        : ANSWERS[path] !== undefined
          ? ([200, ANSWERS[path]] as const)
          : ([404, "Not Found"] as const);
    const type = text.startsWith("{") ? "application/json" : "text/plain";
    response.writeHead(status, { "content-type": type, server: "EC2ws", "content-length": Buffer.byteLength(text) });
    response.end(text);
  });
