/** The planted disk: a temporary folder that the shop takes for its root. Every name and secret in it is made up. */
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Where the shell runs; of all the disk, the only folder that its user may read. */
export const SHELL_FOLDER = "srv/orders/shipping";

const FILES: Record<string, string> = {
  "etc/passwd": [
    "root:x:0:0:root:/root:/bin/bash",
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
    "postgres:x:104:110:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash",
    "shop:x:1001:1001:planted for the ground truth:/nowhere:/bin/false",
    "",
  ].join("\n"),
  "etc/hosts": "127.0.0.1\tlocalhost\n10.20.4.11\torders-db.shop.internal orders-db\n",
  "windows/win.ini": "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n[mci extensions]\r\n[files]\r\n",
  "srv/catalogue/manuals/brass-lamp.txt": "How to put the shade on the brass lamp.\n",
  "srv/catalogue/manuals/oak-table.txt": "Oil it once a year. Spills: wipe at once.\n",
  "srv/catalogue/manuals/etc/passwd-advice.txt": "How to choose a password for your account.\n",
  "srv/catalogue/images/brass-lamp.txt": "[a picture of a brass lamp, 640 x 480]\n",
  "srv/catalogue/templates/card.html": "<p>Happy birthday, {{ name }}!</p>\n",
  "srv/catalogue/index.php":
    "<?php\nrequire_once __DIR__ . '/includes/db.inc';\nsession_start();\n$page = $_GET['page'] ?? 'home';\ninclude \"pages/$page.php\";\n",
  "srv/catalogue/includes/db.inc":
    "<?php\n$db_host = 'catalogue-db.shop.internal';\n$db_user = 'catalogue';\n$db_password = 'hunter2-but-longer';\n$link = mysqli_connect($db_host, $db_user, $db_password, 'catalogue');\n",
  "srv/catalogue/uploads/2026-10/lamp-front.jpg": "[jpeg]\n",
  "srv/catalogue/uploads/2026-10/customers.csv": "name,email\nAda,ada@shop.example\n",
  "srv/catalogue/uploads/price-list.xls": "[sheet]\n",
  "srv/orders/invoices/2026-0001.txt": "Invoice 2026-0001\n1 brass lamp 49.00\n",
  "srv/orders/invoices/2026-0002.txt": "Invoice 2026-0002\n2 oak tables 460.00\n",
  "srv/orders/report.jsp.bak":
    '<%@ page language="java" contentType="text/html; charset=UTF-8" import="java.sql.*" %>\n<%\n  Class.forName("oracle.jdbc.OracleDriver");\n' +
    '  Connection c = DriverManager.getConnection("jdbc:oracle:thin:@orders-db:1521/ORDERS", "report", "rosebud-1941");\n' +
    '  PreparedStatement s = c.prepareStatement("SELECT day, pieces FROM sales WHERE store = ?");\n' +
    '  s.setString(1, request.getParameter("store"));\n%>\n<h1>Sales of <%= request.getParameter("store") %></h1>\n',
  [`${SHELL_FOLDER}/zones.txt`]: "Oslo: zone 1\nNewcastle & Gateshead: zone 2\nBury St Edmunds; Suffolk: zone 3\n",
  [`${SHELL_FOLDER}/carriers.txt`]: "DHL: account 88-1204, 31% off\nPosten: account 17-0033, 12% off\n",
};

/** Makes the disk; resolves to its folder. */
export async function plantFiles(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-ground-"));
  const planted = new Date("2026-10-05T08:30:00Z");
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
    await utimes(join(folder, name), planted, planted);
  }
  // The user's umask may hide them from the shell's nobody, who starts inside this folder and cannot leave it.
  await chmod(join(folder, SHELL_FOLDER), 0o755);
  for (const name of ["zones.txt", "carriers.txt"]) await chmod(join(folder, SHELL_FOLDER, name), 0o644);
  return folder;
}

export const removeFiles = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
