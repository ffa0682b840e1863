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
