/** What is in the shop's database. Every person and every secret in it is made up. */
export const SEED = `
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;

CREATE TABLE users (email text PRIMARY KEY, name text NOT NULL, password_hash text NOT NULL);
INSERT INTO users VALUES
  ('ada@shop.example', 'Ada', md5('correct horse')),
  ('lin@shop.example', 'Lin', md5('1=1; or-else #union<3')),
  ('obrien@shop.example', 'Siobhan O''Brien', md5('battery staple'));

CREATE TABLE products (name text PRIMARY KEY, price numeric NOT NULL);
INSERT INTO products VALUES
  ('Brass lamp', 49), ('Drop table, oak', 230), ('Fish & chips; salt', 9), ('Union square lamp, select edition', 75);

CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL, item text NOT NULL, address text NOT NULL);
INSERT INTO orders VALUES
  (1, 'ada@shop.example', 'Brass lamp', '1 Engine Way, London'),
  (2, 'guest', 'Fish & chips; salt', 'collected in the shop'),
  (3, 'lin@shop.example', 'Drop table, oak', '7 Kernel Road, Espoo');

CREATE TABLE baskets (id text PRIMARY KEY, owner text NOT NULL, item text NOT NULL);
INSERT INTO baskets VALUES
  ('b-1', 'guest', 'Brass lamp'), ('b-2', 'ada@shop.example', 'Drop table, oak');

CREATE TABLE stock (store text, item text, pieces int NOT NULL, PRIMARY KEY (store, item));
INSERT INTO stock VALUES ('Union Street; dock 7 -- east', 'Brass lamp', 12), ('Oslo', 'Brass lamp', 3);

CREATE TABLE comments (id int GENERATED ALWAYS AS IDENTITY, author text NOT NULL, body text NOT NULL);
INSERT INTO comments (author, body) VALUES ('O''Brien', 'My favourite <b>lamp</b>.');

GRANT USAGE ON SCHEMA public TO shop;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop;
`;
