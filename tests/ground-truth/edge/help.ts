/** Help articles and a blog: pages that speak about attacks, errors and secrets, and have none. */
import { Router } from "express";
import { escapeHtml, page } from "../ground/web.ts";

/** Title and text of each article; a line that begins with two spaces is code. */
const ARTICLES: Readonly<Record<string, readonly [title: string, text: string]>> = {
  "mysql-errors": [
    "What the database errors mean",
    `Our import tool passes on what your database says. The usual messages are
  You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near ''O'Brien'' at line 1
  ORA-01756: quoted string not properly terminated
  Unclosed quotation mark after the character string 'O'Brien'.
  ERROR: unterminated quoted string at or near "'O'Brien"
In all four cases a name with an apostrophe was put into a statement as text.`,
  ],
  "cross-site-scripting": [
    "What is cross-site scripting?",
    `Somebody puts a script where a text belongs, for example in the search:
  /search?q=<script>alert(1)</script>
  <img src=x onerror=alert(1)>
A page that encodes its texts shows the above just as you see it here.`,
  ],
  "password-file": [
    "What stands in /etc/passwd?",
    `One line for each user of a computer. A line has seven fields:
  root:x:0:0:root:/root:/bin/bash
  daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
The second field is an x: passwords are kept elsewhere.`,
  ],
  "the-id-command": [
    "Who am I?",
    `On the command line of your web space, type id. The answer looks like this:
  uid=1000(ada) gid=1000(ada) groups=1000(ada),27(sudo)`,
  ],
  phpinfo: [
    "How to see your PHP version",
    `Put a file with phpinfo() into your web space, open it, and delete it again. It says PHP Version, System and Configuration File (php.ini) Path.`,
  ],
  "stack-traces": [
    "How to send us a stack trace",
    `If our plug-in fails, it writes lines like these into your log. Please send us all of them:
  java.lang.NullPointerException: Cannot invoke "String.length()"
  	at com.example.Plugin.run(Plugin.java:42)
  Traceback (most recent call last):
  	File "plugin.py", line 7, in <module>
  goroutine 1 [running]:`,
  ],
  "aws-keys": [
    "Connecting your bucket",
    `Your key looks like the one in Amazon's own documentation:
  AKIAIOSFODNN7EXAMPLE
  wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`,
  ],
  "include-files": [
    "Including our banner",
    `Put this into your page, where the banner shall appear:
  <?php require_once 'banner.inc'; echo banner('lamps'); ?>`,
  ],
  "database-dumps": [
    "Keeping a copy of your data",
    `Run mysqldump --all-databases once a night. The file begins with MySQL dump and the version, and has a CREATE TABLE for each of your tables.`,
  ],
  "it-works": [
    "It works!",
    `If your new web space says "It works!" or "Welcome to nginx!", then it does. Put your own page in its place.`,
  ],
  "metadata-service": [
    "What is 169.254.169.254?",
    `In the cloud, every computer can ask this address about itself. A list of what it knows begins with
  ami-id
  ami-launch-index
  hostname
A shop that fetches addresses for its visitors must not fetch this one.`,
  ],
  "old-libraries": [
    "Which libraries do we support?",
    `Not jQuery 1.8.3, nor AngularJS 1.4.9, nor WordPress 4.7.1, and nothing that runs on Apache/2.4.49 or PHP/5.6.40.`,
  ],
  jenkins: ["We are hiring", "You know Jenkins, Kibana and Grafana, and like lamps? Our Dashboard team looks for you."],
  "old-cookies": [
    "What our old cookies meant",
    `Until 2015 your basket was an object of PHP, which looked like this:
  O:4:"Cart":1:{s:5:"total";i:49;}
and that of our office one of Java, which begins with rO0AB. We have not used either since.`,
  ],
  "polyfill-io": [
    "Why we left polyfill.io",
    "In 2024 the domain polyfill.io began to send other scripts than it used to. We took https://cdn.polyfill.io/v3/polyfill.min.js out of our pages.",
  ],
};

const paragraphs = (text: string): string =>
  text
    .split("\n")
    .map((line) =>
      line.startsWith("  ") ? `<pre><code>${escapeHtml(line.slice(2))}</code></pre>` : `<p>${escapeHtml(line)}</p>`,
    )
    .join("\n");

export const help = (): Router =>
  Router().get("/help/:article", (request, response, next) => {
    const article = ARTICLES[request.params.article];
    if (article === undefined) return next();
    page(response, escapeHtml(article[0]), `<h1>${escapeHtml(article[0])}</h1>\n${paragraphs(article[1])}`);
  });
