// A service to protect: `npm install express && node app.js`. It knows nothing of Meshward.
import express from "express";

const port = Number(process.env.PORT ?? 3000);
const notes = ["buy oil for the lamp"];

express()
  .use(express.json(), express.urlencoded({ extended: false }))
  .get("/search", (request, response) => {
    const text = String(request.query.q ?? "");
    response.json({ searched: text, found: notes.filter((note) => note.includes(text)) });
  })
  .post("/notes", (request, response) => {
    notes.push(String(request.body?.text));
    response.status(201).json({ notes: notes.length });
  })
  .listen(port, () => console.log(`app: http://127.0.0.1:${port}`));
