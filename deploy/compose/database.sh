#!/bin/sh
# The image of PostgreSQL runs this once, on an empty volume. Fanfare's role is no superuser: the functions of the
# schema have the rights of its owner.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres --set=password="$FANFARE_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE fanfare LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE fanfare OWNER fanfare;
SQL
