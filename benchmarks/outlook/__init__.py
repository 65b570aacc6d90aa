"""What calsync costs on Outlook, beside a client that does nothing but send the same requests by the same library."""
