/** The documentation for those who build on the shop: it shows what errors, dumps and attacks look like, and has none. */
import { Router } from "express";
import { escapeHtml, page } from "../ground/web.ts";

/** Title, text and an example of each page. */
const PAGES: Readonly<Record<string, readonly [title: string, text: string, example: string]>> = {
  sqlstate: [
    "SQLSTATE and other ways to say no",
    "Whichever driver you use, a wrong statement is refused with a code. These are the ones we are asked about most.",
    `SQLSTATE[42000]: Syntax error or access violation: 1064 You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near '' at line 1
org.postgresql.util.PSQLException: ERROR: unterminated quoted string at or near "'"
  Position: 62
ActiveRecord::StatementInvalid (PG::SyntaxError: ERROR:  syntax error at or near "lamp")
System.Data.SqlClient.SqlException (0x80131904): Unclosed quotation mark after the character string ''.`,
  ],
  "laravel-debugging": [
    "Reading what Laravel tells you",
    "With APP_DEBUG=true an error in JSON has the program's own files in it. Never in production.",
    `{
  "message": "Division by zero",
  "exception": "DivisionByZeroError",
  "file": "/var/www/html/app/Services/TaxService.php",
  "line": 31,
  "trace": [{ "file": "/var/www/html/vendor/laravel/framework/src/Illuminate/Routing/Controller.php", "line": 54 }]
}`,
  ],
  jsp: [
    "From JSP to templates",
    "Old pages begin like this. The server runs them; what you see in the browser has none of it.",
    `<%@ page language="java" import="java.sql.*" %>
<% Connection c = DriverManager.getConnection("jdbc:oracle:thin:@HOST:1521/NAME", "USER", "PASSWORD"); %>
<h1><%= request.getParameter("title") %></h1>`,
  ],
  "test-cards": [
    "Cards for tests",
    "These numbers work against the sandbox only, and no bank knows them.",
    "Visa              4242 4242 4242 4242\nVisa (debit)      4000056655665556\nMastercard        5555555555554444\nAmerican Express  3782 822463 10005",
  ],
  "supply-chain": [
    "Scripts from elsewhere",
    "cdn.staticfile.net, cdn.bootcss.com and cdn.bootcdn.net belong to whoever bought polyfill.io. If your page has this, take it out.",
    '<script src="https://cdn.staticfile.net/vue/3.5.13/vue.global.prod.min.js"></script>',
  ],
  index: [
    "Index of articles",
    "Name, last modified, size: everything that we have written, newest first.",
    "sqlstate            2026-11-02 10:12   3K\nlaravel-debugging   2026-10-30 09:00   2K\njsp                 2026-10-11 17:45   4K",
  ],
};

export function docs(): Router {
  const router = Router();
  for (const [name, [title, text, example]] of Object.entries(PAGES)) {
    router.get(`/docs/${name}`, (_request, response) =>
      page(
        response,
        escapeHtml(title),
        `<article><h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(text)}</p>\n` +
          `<pre><code>${escapeHtml(example, "<>&")}</code></pre></article>`,
      ),
    );
  }
  return router;
}
