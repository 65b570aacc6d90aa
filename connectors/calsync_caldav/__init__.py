"""The CalDAV connector: any server that speaks RFC 4791, such as Radicale, Nextcloud, Fastmail or iCloud."""
